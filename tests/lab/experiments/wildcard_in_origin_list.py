"""Socket.IO 3: `*` in a list of origins."""

from tests.lab.experiment import Answered, Blocked, ClientFile, Connected, Experiment, Get, Process, Socket, Step

SERVER = "http://localhost:5000"

EXPERIMENT = Experiment(
    rule="wildcard-in-origin-list",
    project="wildcard-in-origin-list",
    claim="Socket.IO compares a `*` in a list literally: no page is let in, where `'*'` alone lets all in",
    parts=(Process(("node", "index.js"), listens=5000, folder="server"),),
    steps=(
        Step(
            "a handshake over polling",
            Get(f"{SERVER}/socket.io/?EIO=4&transport=polling", origin="https://news.example.com"),
            bad=Answered(status=200, vary="Origin", absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao="*"),
            mended=Answered(status=200, acao="https://news.example.com"),
        ),
        Step(
            "the widget in a page",
            ClientFile("https://news.example.com", "client/scores.js", client=3),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
        Step(
            "a client of Socket.IO 4",
            Socket("http://localhost:5173", SERVER, client=4),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
