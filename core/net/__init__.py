"""What capture and forge build on: event loop, sockets, netlink, routes, interfaces."""
