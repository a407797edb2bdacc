"""The common job on aiogram 3 and asyncpg, at their best: uvloop, orjson, a pool with prepared statements, updates handled as tasks.

For each message: read the chat's state, change it, write it durably (a commit with synchronous_commit on), send one reply. Two round trips to
the database and one to the Bot API; no transaction around them, because the load never has two updates of a chat under way.

    python bot.py <Bot API address> <token> <database address>
"""

import asyncio
import sys
from typing import Any

import asyncpg
import orjson
import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message

READ = "SELECT state FROM peer_states WHERE chat = $1"
MAKE = "INSERT INTO peer_states (chat, state) VALUES ($1, $2)"
WRITE = "UPDATE peer_states SET state = $2 WHERE chat = $1"
# The last readings of a walk, as the product keeps the answers of its own.
KEPT = 10


def encode(value: Any) -> str:
    return orjson.dumps(value).decode()


async def main(api: str, token: str, database: str) -> None:
    async def prepare(conn: asyncpg.Connection) -> None:
        await conn.set_type_codec("jsonb", encoder=encode, decoder=orjson.loads, schema="pg_catalog")

    async with asyncpg.create_pool(database, min_size=16, max_size=16, init=prepare) as pool:
        await pool.execute("CREATE TABLE IF NOT EXISTS peer_states (chat bigint PRIMARY KEY, state jsonb NOT NULL)")
        server = TelegramAPIServer.from_base(api)
        session = AiohttpSession(api=server, json_loads=orjson.loads, json_dumps=encode, limit=128)
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def reading(message: Message) -> None:
            async with pool.acquire() as conn:
                state = await conn.fetchval(READ, message.chat.id)
                write = WRITE if state else MAKE
                state = state or {"step": 0, "readings": []}
                state["step"] += 1
                state["readings"] = [*state["readings"][1 - KEPT :], message.text]
                await conn.execute(write, message.chat.id, state)
            await message.answer(f"Step {state['step']}: {message.text}")

        print("ready", flush=True)
        await dispatcher.start_polling(Bot(token, session=session), handle_as_tasks=True, polling_timeout=30, handle_signals=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:4]))
