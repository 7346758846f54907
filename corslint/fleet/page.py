"""stub"""
def render(s): yield "x"
