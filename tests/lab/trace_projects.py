"""The projects of `fixtures/traces`: what is started of each, and what pages do there."""

from __future__ import annotations

from tests.lab.experiment import ClientFile, Fetch, Nginx, Page, Process, Socket
from tests.lab.trace_cases import Project

JSON = {"content-type": "application/json"}
LIBRARY = "https://library.example.com"
NEWS = "https://www.example.com"
BIDS = "https://bids.example.com"
BLOG = "https://blog.example.com"
CLASS = "https://class.example.com"
WEATHER = "https://weather.example.com"
CITY = "https://city.example.com"
COOK = "https://cook.example.com"
BANK = "http://bank.example.com"
DARTS = "https://darts.example.com"
PARTY = "https://party.example.com"
NOTES = "https://notes.example.com"
CHOIR = "https://choir.example.com"
ELSE = "https://elsewhere.example.org"

PROJECTS: tuple[Project, ...] = (
    Project(
        "library-catalogue",
        (Process(("python", "main.py"), listens=8000), Nginx("nginx/catalogue.conf", listens=80)),
        (
            Fetch(LIBRARY, "https://catalogue.example.com/books/7"),
            Fetch(LIBRARY, "https://catalogue.example.com/shelves"),
            Fetch(LIBRARY, "https://catalogue.example.com/shelves", method="DELETE"),
            Fetch(ELSE, "https://catalogue.example.com/shelves"),
        ),
        {"catalogue.example.com:443": 80},
    ),
    Project(
        "newsletter",
        (Process(("python", "app.py"), listens=5000), Nginx("nginx/newsletter.conf", listens=8080)),
        (
            Fetch(NEWS, "https://news.example.com/api/subscription", credentials=True),
            Fetch(NEWS, "https://news.example.com/api/subscription", credentials=True, method="DELETE"),
            Fetch(NEWS, "https://news.example.com/status"),
        ),
        {"news.example.com:443": 8080},
    ),
    Project(
        "inventory",
        (Process(("uvicorn", "main:app", "--port", "8000"), listens=8000, folder="service"),),
        (
            Fetch("https://stock.example.com", "http://localhost:8000/parts", headers={"x-warehouse": "south"}),
            Fetch("https://stock.example.com", "http://localhost:8000/parts", headers={"x-trace": "1"}),
            Fetch("https://stock.example.com", "http://localhost:8000/parts/4", method="PUT"),
        ),
    ),
    Project(
        "auction-room",
        (Process(("python", "app.py"), listens=8080), Nginx("nginx/auction.conf", listens=80)),
        (
            ClientFile(BIDS, "web/room.js"),
            ClientFile(ELSE, "web/room.js"),
            Socket(BIDS, "https://auction.example.com", options={"transports": ["websocket"]}),
            Socket(ELSE, "https://auction.example.com", options={"transports": ["websocket"]}),
        ),
        {"auction.example.com:443": 80},
    ),
    Project(
        "live-blog",
        (Process(("python", "app.py"), listens=5000), Nginx("nginx/blog.conf", listens=80)),
        (
            Socket(BLOG, "https://live.example.com", options={"path": "/live/socket.io"}),
            Socket(BLOG, "https://live.example.com", options={"path": "/live/socket.io", "withCredentials": True}),
            Socket(ELSE, "https://live.example.com", options={"path": "/live/socket.io"}),
            Socket(BLOG, "https://live.example.com", options={"path": "/socket.io"}),
        ),
        {"live.example.com:443": 80},
    ),
    Project(
        "museum",
        (Process(("gunicorn", "--bind", "127.0.0.1:8000", "museum.wsgi:application"), listens=8000),),
        (
            Fetch("https://tickets.museum.example", "http://localhost:8000/exhibits/", credentials=True),
            Fetch("https://tickets.museum.example", "http://localhost:8000/exhibits/", method="PUT", headers=JSON),
            Fetch("https://museum.example", "http://localhost:8000/exhibits/"),
        ),
    ),
    Project(
        "classroom",
        (Process(("python", "main.py"), listens=8000), Nginx("nginx/class.conf", listens=80)),
        (
            Fetch(CLASS, "https://api.class.example.com/lessons"),
            Fetch(CLASS, "https://api.class.example.com/lessons", credentials=True),
            Socket(CLASS, "https://api.class.example.com"),
            Socket(ELSE, "https://api.class.example.com"),
        ),
        {"api.class.example.com:443": 80},
    ),
    Project(
        "weather-station",
        (
            Process(("hypercorn", "--bind", "127.0.0.1:8000", "app:app"), listens=8000),
            Nginx("nginx/weather.conf", listens=8080),
        ),
        (
            Fetch(WEATHER, "https://station.example.com/wind"),
            Fetch(WEATHER, "https://station.example.com/wind", method="PATCH", headers={"x-unit": "metric"}),
            Fetch(WEATHER, "https://station.example.com/wind", method="DELETE"),
            Fetch(WEATHER, "https://station.example.com/wind", credentials=True),
        ),
        {"station.example.com:443": 8080},
    ),
    Project(
        "ticket-desk",
        (
            Process(("python", "main.py"), listens=8000, folder="api"),
            Process(("node", "node_modules/vite/bin/vite.js"), listens=5173, folder="web"),
        ),
        (
            Fetch("http://localhost:5173", "http://localhost:5173/api/tickets"),
            Fetch("http://localhost:5173", "http://localhost:8000/api/tickets"),
            ClientFile("http://localhost:5173", "web/src/main.js", client=4),
        ),
    ),
    Project(
        "city-portal",
        (
            Process(("node", "server.js"), listens=3000, folder="accounts"),
            Process(("python", "main.py"), listens=8000, folder="forecast"),
            Nginx("nginx/city.conf", listens=80),
        ),
        (
            Fetch(CITY, "https://api.city.example.com/accounts/me", credentials=True),
            Fetch(CITY, "https://api.city.example.com/forecast/today"),
            Fetch(ELSE, "https://api.city.example.com/accounts/me"),
        ),
        {"api.city.example.com:443": 80},
    ),
    Project(
        "recipe-book",
        (Process(("node", "server.js"), listens=4000), Nginx("nginx/recipes.conf", listens=80)),
        (
            Fetch(COOK, "https://recipes.example.com/soup"),
            Fetch(COOK, "https://recipes.example.com/soup", credentials=True),
            Fetch(COOK, "https://recipes.example.com/soup", method="PUT", headers=JSON),
            Fetch(COOK, "https://recipes.example.com/soup", method="DELETE"),
        ),
        {"recipes.example.com:443": 80},
    ),
    Project(
        "bank-rates",
        (Process(("node", "server.js"), listens=3000), Nginx("nginx/rates.conf", listens=(80, 8443))),
        (
            Fetch(BANK, "http://rates.example.com/rates", method="PUT"),
            Fetch(BANK, "http://rates.example.com/rates"),
            Fetch(BANK, "http://rates-direct.example.com:8443/rates", method="PUT"),
            Fetch(BANK, "http://rates-direct.example.com:8443/rates", method="DELETE"),
        ),
        {"rates.example.com:80": 80, "rates-direct.example.com:8443": 8443},
    ),
    Project(
        "dart-scores",
        (Process(("node", "server.js"), listens=3000), Nginx("nginx/darts.conf", listens=80)),
        (
            Socket(DARTS, "https://scores.example.com"),
            Socket(DARTS, "https://scores.example.com", options={"transports": ["websocket"]}),
            Socket(DARTS, "http://scores.example.com", options={"transports": ["websocket"]}),
            Socket(DARTS, "http://scores.example.com"),
        ),
        {"scores.example.com:443": 80, "scores.example.com:80": 80},
    ),
    Project(
        "guest-list",
        (Process(("node", "server.js"), listens=3000),),
        (
            Fetch(PARTY, "http://localhost:3000/guests", method="POST", headers=JSON),
            Fetch(PARTY, "http://localhost:3000/guests", method="PUT"),
            Fetch(PARTY, "http://localhost:3000/guests", headers={"x-table": "4"}),
            Fetch(PARTY, "http://localhost:3000/guests", credentials=True),
            Fetch(ELSE, "http://localhost:3000/guests"),
        ),
    ),
    Project(
        "open-data",
        (Process(("node", "server.js"), listens=3000),),
        (
            Fetch(ELSE, "http://localhost:3000/open/trees"),
            Fetch(ELSE, "http://localhost:3000/open/trees", credentials=True),
            Fetch(ELSE, "http://localhost:3000/staff/budget"),
            Fetch(ELSE, "http://localhost:3000/open/nothing"),
            Fetch(ELSE, "http://data.example.com/open/trees"),
            Fetch("http://elsewhere.example.org", "http://data.example.com/open/trees"),
        ),
        {"data.example.com:80": 3000},
    ),
    Project(
        "field-notes",
        (Process(("python", "app.py"), listens=5000), Nginx("nginx/notes.conf", listens=80)),
        (
            Fetch(NOTES, "https://api.notes.example.com/notes"),
            Fetch(NOTES, "https://api.notes.example.com/notes", method="PUT", headers=JSON),
            Fetch(NOTES, "https://api.notes.example.com/notes", method="DELETE"),
        ),
        {"api.notes.example.com:443": 80},
    ),
    Project(
        "choir",
        (Process(("python", "main.py"), listens=9000),),
        (
            ClientFile(CHOIR, "web/choir.js"),
            ClientFile(ELSE, "web/choir.js"),
        ),
    ),
    Project(
        "depot",
        (
            Process(("gunicorn", "--bind", "127.0.0.1:8000", "app:app"), listens=8000),
            Nginx("nginx/depot.conf", listens=80),
        ),
        (
            Fetch("https://depot.example.com", "https://vans.example.com/vans"),
            Fetch(ELSE, "https://vans.example.com/vans"),
        ),
        {"vans.example.com:443": 80},
    ),
    Project(
        "seat-plan",
        (Process(("node", "pages.js"), listens=3000), Process(("node", "seats.js"), listens=4000)),
        (
            Page("http://localhost:3000/stalls.html"),
            Page("http://localhost:3000/balcony.html"),
            Page("http://localhost:3000/boxes.html"),
            Page("http://localhost:3000/terrace.html"),
            Socket("http://localhost:3000", "http://localhost:4000/balcony"),
        ),
    ),
)
