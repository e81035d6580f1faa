"""Where Avviso meets the world: thin translations, foreign errors mapped to ours."""
