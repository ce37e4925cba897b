"""The terminal's boot: journal first, then the cash register, then what the last power cut left to be undone."""

from __future__ import annotations

import threading

from rig.history import Journal, Redactor
from rig.process import Started, main_config
from rig.virtual.terminal import contact
from rig.virtual.terminal.acceptor import Acceptor, Announced
from rig.virtual.terminal.authorise import Authoriser
from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.contact import contact_facts
from rig.virtual.terminal.ecr import Ecr
from rig.virtual.terminal.emv import entry
from rig.virtual.terminal.endofday import BackOffice
from rig.virtual.terminal.host import Host
from rig.virtual.terminal.links import open_links
from rig.virtual.terminal.operations import Operations
from rig.virtual.terminal.reader import Pn532Reader
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.sale import Sales
from rig.virtual.terminal.settings import Settings, read_settings
from rig.virtual.terminal.slot import Slot
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.stripe import StripeHead
from rig.virtual.terminal.swipe import card_of
from rig.virtual.terminal.vault import Vault
from rig.wire.zvt import RegistrationConfig


def boot(settings: Settings, journal: Journal) -> str:
    """Put the terminal together and begin to serve; returns where the cash register finds it.

    Raises:
        DeviceNonsense: the terminal's journal is damaged.
        OSError: the cash register's address cannot be served.
    """
    log = journal.write
    store, vault = Store(settings.disk), Vault(settings.disk)
    host = Host(settings, log)
    host.start()
    reversals = Reversals(settings, store, vault, host, log)
    reversals.recover()
    bell = threading.Event()
    authoriser = Authoriser(settings, store, vault, host, reversals, log)
    sales = Sales(settings, store, vault, _acceptor(settings, bell, log), authoriser, reversals, log)
    office = BackOffice(settings, store, host, reversals, log)
    ecr = Ecr(settings.ecr_ack_timeout_s, lambda: _wants_statuses(store), log, Announced(bell))
    operations = Operations(settings, store, sales, office, reversals, ecr.cancelled, log)
    threading.Thread(target=ecr.work, args=(operations.handle,), name="operations", daemon=True).start()
    where = open_links(settings.ecr, settings.runtime, ecr)
    reversals.start()
    return where


def _acceptor(settings: Settings, bell: threading.Event, log: Log) -> Acceptor:
    """Every way in which this terminal takes cards."""
    emv = settings.emv
    return Acceptor(
        Pn532Reader(settings.reader, log, emv.card_tries, emv.card_answer_s),
        lambda transceive, purchase: entry.read_card(transceive, purchase, emv.facts(log), log),
        Slot(settings.slot, bell, log) if settings.slot else None,
        lambda transceive, purchase: contact.read_card(
            transceive, purchase, contact_facts(emv.facts(log), settings.floor_limit), log
        ),
        StripeHead(settings.stripe, bell, log) if settings.stripe else None,
        lambda track, mode: card_of(track, mode, next(iter(emv.facts(log).values()))),
        bell,
        log,
    )


def _wants_statuses(store: Store) -> bool:
    return bool((store.registration or 0) & RegistrationConfig.INTERMEDIATE_STATUS)


def main() -> None:
    """Run the terminal until it is told to end, or its power is cut."""
    started: Started = main_config()
    settings = read_settings(started.config)
    journal = Journal.open(settings.journals, settings.name, Redactor.load(settings.redaction))
    where = boot(settings, journal)
    journal.write("started", ecr=where)
    started.ready(ecr=where)
    started.stop.wait()
    journal.write("ended")


if __name__ == "__main__":
    main()
