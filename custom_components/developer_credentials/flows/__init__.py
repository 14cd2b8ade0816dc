"""The dialogs: what users see when they add, edit or repair a credential.

Here live the credential form, what it is filled in for, what flows ask of one another, and the base
class of the integrations' config flows. What is saved is saved by `credentials`.
"""
