"""What redis-om takes to insert, load and query records of 12 fields with 3 indexes. It needs a server with RediSearch.
It prints a line of JSON for each part: {"part", "count", "seconds", "cpu_seconds" of this process, "server_seconds"}.

Usage: REDIS_OM_URL=redis://… records.py RECORDS PASSES
"""

import json
import sys
import time

from redis_om import Field, HashModel, Migrator

PAGE = 20


class User(HashModel, index=True):
    id: int = Field(primary_key=True)
    email: str = Field(index=True)
    country: str = Field(index=True)
    age: int = Field(index=True)
    name: str
    street: str
    city: str
    zip: str
    phone: str
    visits: int
    score: float
    active: bool


def user(id):
    return User(
        id=id,
        email=f"user{id}@example.org",
        country=["TR", "UK", "DE", "FR"][id % 4],
        age=id % 80,
        name=f"Ada Lovelace {id}",
        street="12 St James's Square",
        city="London",
        zip="SW1Y 4JH",
        phone="+44 20 7946 0000",
        visits=17,
        score=0.25,
        active=True,
    )


def server_seconds():
    info = User.db().info("cpu")
    return info["used_cpu_user"] + info["used_cpu_sys"]


def measure(part, records, run):
    server, cpu, start = server_seconds(), time.process_time(), time.perf_counter()
    run()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    server = server_seconds() - server
    figures = {"seconds": seconds, "cpu_seconds": cpu_seconds, "server_seconds": server}
    print(json.dumps({"part": part, "count": records, **figures}))


def insert(ids):
    for id in ids:
        user(id).save()


def load(ids):
    for id in ids:
        assert User.get(id).visits == 17


def query(count):
    for n in range(count // PAGE):
        country = ["TR", "UK", "DE", "FR"][n % 4]
        found = User.find(User.country == country).page(0, PAGE)
        assert len(found) == PAGE and found[0].country == country


def main():
    records, passes = map(int, sys.argv[1:])
    Migrator().run()
    # What only the first call does.
    user(0).save()
    for number in range(passes):
        first = 1 + 2 * number * records
        ids, more = range(first, first + records), range(first + records, first + 2 * records)
        measure("insert", records, lambda: insert(ids))
        measure("insert at once", records, lambda: User.add([user(id) for id in more]))
        measure("load", records, lambda: load(ids))
        measure("query", records, lambda: query(records))


main()
