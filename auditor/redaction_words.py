"""Words that tell of nobody: those of a report's own sentences and of every host's folders.

A host or a person may be called by one of them, but the word where it stands in a sentence is not the name.
"""

from __future__ import annotations

import re

from auditor.binding import GRANT_PATHS
from auditor.facts import BASES
from auditor.model import FACTS, OUTCOMES, SEVERITIES

WORD = re.compile(r"[^\W_]+")
_OF_SENTENCES = """
    about above absent abstract accepted accepts activates address addresses after ago aix all allow alone always among amplifier an and
    anonportalgo another any apart appeared approval approved are as ask asked asks assessed at audit audited authbind automatic
    baseline be before bin bind bindresvport boot both bound bpf bridge bsd but by calls came can cannot cap capability change changed
    cleartext client collect compared conf container could count covers created creator csv darwin date day days dccp dead declared
    default deleted dev device different differs disagree disappeared docker does domain dragonfly dual dynamic each enabled endpoint
    endpoints entries entry ephemeral equal error escapes etc eth0 even every everyone evidence except executable expects expired export
    exposed facts fail false family file finding finished firewall fixed folder folders for forbidden forbids freebsd from given gives
    gone grant granted granting group groups hand handed hands has have held high hold holder holders holds host hosts how hpux iana id
    identity in incomplete inet info init interface interpreter inventory ip ipv ipv4 ipv6 ipvlan is it its itself jail json jsonl
    judged keeps kernel kernelgiven known least left lib lib64 libexec library line link linklocal linux list listener listeners
    listening listens lists lo local localhost log long loopback low lowered machine macvlan many matched matches may measured media
    medium memfd memory mismatch mnt mode more most moved mptcp multicast must name named names namespace nat need neither net netbsd
    netns network never new no nobody nodeport nodeports none nor not notapplicable notchecked nothing notselected null number odd of
    off ok on one only open openbsd opt or other others our out outside over overdue own owner owners packet parity pass path persisted
    person pid place podman policy port portacl ports prediction private privilege privileged proc process processes procnet program
    programs protocol public published random randomize range raw reach reaches read redacted registry release required reserved result
    resvport retained review rfc role root row rule rules run runs same say says sbin scope sctp section seen selected selinux
    sequential serves service services session set sets setting settings several shadowed shall share shared shell show shown shows site
    slice small socket sockets some something source sources srv stack stacks stale stamp started stdin strength such sunrpc sys system
    systemd table take taken takes tcp tcp6 than that the their them there these this those through tiers time tmp to today told too
    translated translation translations true txt udp udp6 udplite uid unapproved unauthenticated unauthorised under unexpected
    unexplained unit units unix unknown unused use user users usr v4 v6 var vendor veth visible vlan waived waiver was were what
    whatever when whether which who whose wildcard will window with without witnessed world would writable yaml yes yml zone
"""
_OURS = {*_OF_SENTENCES.split(), *WORD.findall(" ".join((*GRANT_PATHS, *BASES, *FACTS, *OUTCOMES, *SEVERITIES)))}


def tells(name: str) -> bool:
    """Whether a name is one wherever it stands: it has a word that is no number, no letter alone, and none of ours."""
    return any(len(word) > 1 and not word.isnumeric() and word.casefold() not in _OURS for word in WORD.findall(name))
