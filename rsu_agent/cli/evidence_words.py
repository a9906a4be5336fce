"""What a sealed file proves, and what it does not: no more than was checked."""

from __future__ import annotations

from rsu_agent.runtime.evidence_checked import Proof
from rsu_agent.settings.language import say
from rsu_agent.settings.moments import shown


def proved(proof: Proof) -> tuple[list[str], list[str]]:
    """(sentences that hold, sentences that do not)."""
    if not proof.good:
        return [], [say("anything: something in it is wrong")]
    return _proves(proof), _not(proof)


def _proves(proof: Proof) -> list[str]:
    chain, about = proof.chain, proof.about
    told = [
        say(
            "whoever holds the private key {key} sealed exactly these bytes; none was changed since",
            key=proof.key,
        )
    ]
    if chain is None:
        return told
    told.append(
        say(
            "lines {first} to {last} of the air record follow each other: none is missing or put between",
            first=chain.first,
            last=chain.last,
        )
    )
    if chain.signed_to is not None:
        told.append(
            say(
                "the agent itself had signed the lines up to {signed} when it wrote them",
                signed=chain.signed_to,
            )
        )
    if about.get("from_utc_s") is not None:
        told.append(
            say(
                "they are of {site}; {begin} to {end} is asked for, by the agent's own clock",
                site=about.get("site"),
                begin=shown(about["from_utc_s"]),
                end=shown(about["to_utc_s"]),
            )
        )
    if proof.span is not None:
        begin, end = map(shown, proof.span)
        told.append(say("the first of them is of {begin}, the last of {end}", begin=begin, end=end))
    return told


def _not(proof: Proof) -> list[str]:
    chain = proof.chain
    told = [say("what a lamp showed: it tells what the controller reported and what cameras agreed with")]
    told.append(say("that a vehicle received a message: it tells what was handed to the radio"))
    told.append(say("that nobody else had the private key, nor that the agent told the truth"))
    if proof.own_key:
        told.append(
            say(
                "whose it is: the key came with the file; compare {key} with the site's, or use --key",
                key=proof.key,
            )
        )
    if chain is not None and chain.unsigned:
        told.append(
            say(
                "that the last {count} lines were written when they say: the seal alone signs them",
                count=chain.unsigned,
            )
        )
    clock = proof.about.get("clock", [])
    if any(not each.get("trusted") for each in clock) or not clock:
        told.append(say("the time of day: the agent's clock was not trusted all the while"))
    for name in proof.about.get("missing", {}):
        told.append(say("anything that {name} would tell: it is not in here", name=name))
    return told
