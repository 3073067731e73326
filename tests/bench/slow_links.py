"""Ways to servers on loopback that take time: each answer comes later."""

import asyncio
import threading


class SlowLinks:
    """From (address, port) to (address, port), in a thread of its own until close().

    What a server says is held back for `delay` seconds, in order; a login has four answers.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def add(self, source: tuple[str, int], target: tuple[str, int]) -> None:
        async def open_link() -> None:
            await asyncio.start_server(
                lambda reader, writer: self._serve(reader, writer, target), *source)

        asyncio.run_coroutine_threadsafe(open_link(), self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                     target: tuple[str, int]) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass(reader, far_writer, 0),
                             self._pass(far_reader, writer, self._delay))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                    delay: float) -> None:
        try:
            while data := await reader.read(65536):
                if delay:
                    self._loop.call_later(delay, writer.write, data)
                else:
                    writer.write(data)
        except OSError:
            pass
        if delay:
            self._loop.call_later(delay, writer.close)
        else:
            writer.close()
