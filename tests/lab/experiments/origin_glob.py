"""Quart-CORS, served by Hypercorn: a `*` inside a listed origin."""

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Preflight, Process, Readable, Step

TENANT = "https://acme.example.com"
API = "http://localhost:8000"

EXPERIMENT = Experiment(
    rule="origin-glob",
    project="origin-glob",
    claim="Quart-CORS compares listed texts exactly: `https://*.example.com` lets no subdomain in",
    parts=(Process(("hypercorn", "--bind", "localhost:8000", "app:app"), listens=8000),),
    steps=(
        Step(
            "the origin that is listed without a `*`",
            Get(f"{API}/tenants/acme", origin="https://example.com"),
            bad=Answered(status=200, acao="https://example.com", acac="true"),
            good=Answered(status=200, acao="https://example.com", acac="true"),
        ),
        Step(
            "a preflight from a subdomain",
            Preflight(f"{API}/tenants/acme/logo", TENANT, method="DELETE"),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=TENANT),
        ),
        Step(
            "a subdomain reads",
            Fetch(TENANT, f"{API}/tenants/acme", credentials=True),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200),
        ),
        Step(
            "a subdomain deletes, after a preflight",
            Fetch(TENANT, f"{API}/tenants/acme/logo", credentials=True, method="DELETE"),
            bad=Blocked("Response to preflight request doesn't pass access control check"),
            good=Readable(200),
        ),
        Step(
            "a site that has the host in the middle of its name",
            Fetch("https://acme.example.com.attacker.test", f"{API}/tenants/acme"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
    ),
)
