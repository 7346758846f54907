"""corslint: finds CORS, Socket.IO and WebSocket proxy faults in server code and nginx configurations."""

__version__ = "0.1.0"
