"""A PostgreSQL for all tests of this folder, a database of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator

import pytest

from hil.postgres import INITDB, MISSING, cluster

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    if INITDB is None:
        pytest.skip(MISSING)
    with cluster() as address:
        yield address


@pytest.fixture
def new_database(postgres: str) -> Callable[[], Awaitable[str]]:
    """Makes an empty database; gives its address."""

    async def make() -> str:
        import asyncpg

        name = f"district_{next(_numbers)}"
        db = await asyncpg.connect(postgres)
        await db.execute(f"CREATE DATABASE {name}")
        await db.close()
        return postgres.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture
async def database(new_database: Callable[[], Awaitable[str]]) -> str:
    """The address of an empty database."""
    return await new_database()
