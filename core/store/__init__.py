"""Many packets: chunks of bytes with columns of numbers, and the views over them."""
