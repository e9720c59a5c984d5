"""Stands in for an interpreter with vLLM, so that the life of an engine can be tested in seconds.

Called as the engine calls vLLM (``-m vllm.entrypoints.openai.api_server --port N ...``), it is a real
process with a real HTTP server that answers, asks for the key, starts a process of its own as vLLM
does, and dies when a question tells it to. What vLLM itself does is tested in test_vllm.py.
"""

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arguments = dict(zip(sys.argv[3::2], sys.argv[4::2], strict=False))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(200, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("authorization") != f"Bearer {os.environ['VLLM_API_KEY']}":
            self.reply(401, {"error": "no key"})
            return
        question = body["messages"][-1]["content"]
        if "poison" in question or ("once" in question and first_life()):
            time.sleep(0.2)
            os.kill(os.getpid(), 9)
        time.sleep(0.02)
        choices = [
            {
                "index": n,
                "message": {"content": f"{question} {body['seed'] + n}"},
                "finish_reason": "stop",
                "token_ids": [1, 2, 3],
            }
            for n in range(body.get("n", 1))
        ]
        usage = {"prompt_tokens": 5, "completion_tokens": 3 * len(choices)}
        self.reply(200, {"choices": choices, "usage": usage})

    def reply(self, status: int, data: dict) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


def first_life() -> bool:
    """True once in the folder of the model."""
    try:
        os.close(os.open(os.path.join(arguments["--model"], "died"), os.O_CREAT | os.O_EXCL))  # noqa: PTH118
    except FileExistsError:
        return False
    return True


def main() -> None:
    if os.path.exists(os.path.join(arguments["--model"], "broken")):  # noqa: PTH110, PTH118
        raise RuntimeError("CUDA out of memory, so to speak")
    print("stand-in:", " ".join(sys.argv[1:]), "key", os.environ["VLLM_API_KEY"], flush=True)
    print("environment:", " ".join(sorted(os.environ)), flush=True)
    # As vLLM's engine core: a process that outlives its parent unless somebody ends it.
    core = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("core", core.pid, flush=True)
    server = ThreadingHTTPServer(("127.0.0.1", int(arguments["--port"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
