"""What Avviso decides: pure, without I/O, clock or chance."""
