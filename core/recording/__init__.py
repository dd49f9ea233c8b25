"""Record packets to files while they are captured: formats, rotation, compression, the thread."""
