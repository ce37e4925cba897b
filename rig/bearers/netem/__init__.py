"""The kernel's netem as the degrader of a link: our own complete encoder, both directions, read back, left as found.

:mod:`.link` is what others use. Below it: where a netem is placed (:mod:`.qdisc`, :mod:`.mirror`, :mod:`.station`),
what it is told (:mod:`.settings`, :mod:`.layout`, :mod:`.encoder`), the messages (:mod:`.tc_messages`,
:mod:`.link_messages`, :mod:`.rtnetlink`), and what a crash left (:mod:`.leftovers`).
"""

from rig.bearers.netem.leftovers import reconcile
from rig.bearers.netem.link import NetemLink, NetemProbe, netem_available

__all__ = ["NetemLink", "NetemProbe", "netem_available", "reconcile"]
