"""The host: ISO 8583 server, card network, issuers, ledger."""
