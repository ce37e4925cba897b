"""What the terminal knows of EMV, whichever way a card is read.

From the bottom: :mod:`card` (what one reading gives), :mod:`facts` (what the terminal is and is set to), :mod:`tvr`
(the terminal verification results), :mod:`objects` (the data objects of one transaction), :mod:`apdu` (one command);
:mod:`oda`, :mod:`risk`, :mod:`cvm` and :mod:`actions` (the steps of EMV Book 3, which ask for data objects and facts
and know no interface); the contactless kernels :mod:`visa`, :mod:`unionpay` and :mod:`mastercard`, and :mod:`entry`,
which chooses between them.
"""
