"""What can go wrong with orders."""

from app.core.errors import Conflict


class ReferenceTaken(Conflict):
    code = "reference_taken"
    when = "another order of the same owner has the reference"
    default = "Another order of the same owner has this reference."


class InvalidTransition(Conflict):
    code = "invalid_transition"
    when = "the order cannot go to that status; `details` lists those it can go to"
    default = "The order cannot go to that status."


class OrderNotEditable(Conflict):
    code = "order_not_editable"
    when = "once the order is submitted, only the note can change"
    default = "Only the note of an order can be changed once it was submitted."


class OrderNotDeletable(Conflict):
    code = "order_not_deletable"
    when = "only drafts and cancelled orders can be deleted"
    default = "Only drafts and cancelled orders can be deleted."
