"""The kernel interfaces that capture and forge use: event loop, sockets, netlink, routes."""
