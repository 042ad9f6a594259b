"""How dates read where Django's own choice would surprise our readers."""
