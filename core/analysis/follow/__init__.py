"""Follow stream: the payloads of one TCP or UDP stream, put together as its ends sent them."""
