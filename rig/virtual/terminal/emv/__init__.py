"""What the terminal knows of EMV, whichever way a card is read.

From the bottom: :mod:`card` (what one reading gives), :mod:`schemes` (which cards), :mod:`facts` (what the terminal
is; :mod:`setup` reads it from the settings), :mod:`tvr`, :mod:`objects` (the data objects of one transaction),
:mod:`apdu` (one command) and :mod:`generate`; :mod:`oda`, :mod:`risk`, :mod:`cvm` and :mod:`actions` (the steps of EMV
Book 3, which ask for data objects and facts and know no interface); :mod:`outcome`; the contactless kernels
:mod:`visa`, :mod:`unionpay` and :mod:`mastercard` with what they share in :mod:`kernel`, and :mod:`entry`, which
chooses between them.
"""
