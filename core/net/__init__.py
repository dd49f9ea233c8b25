"""The ground under capture and forge: event loop, sockets, netlink, routes, interfaces."""
