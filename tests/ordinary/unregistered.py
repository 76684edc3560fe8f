"""An error that a team defines where it raises it."""

from app.core.errors import Conflict


class OutOfStock(Conflict):
    code = "out_of_stock"
    default = "There is too little of it."
