"""Many packets: chunks of bytes with columns of numbers, and views of them."""
