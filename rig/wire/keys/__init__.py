"""Cryptography of terminals and hosts as pure functions: message authentication, PIN blocks, key blocks, DUKPT."""
