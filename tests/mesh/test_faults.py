"""Parts of a running mesh are killed: the other faces and servers go on, and what was killed comes back."""

from dataclasses import replace

import pytest

FACES = ("grpc", "rest", "mcp", "call")
LIFE_PATH = "calculate_life_path"
BIRTH = {"day": 14, "month": 11, "year": 1968}


def births(start: int):
    """Birth dates that no cached result answers."""
    for year in range(start, start + 20):
        yield {"day": 14, "month": 11, "year": year}


async def test_every_face_works_while_redis_is_away_and_after_it_came_back(mesh, faces):
    mesh.child("redis").kill()
    for arguments in list(births(1900))[:5]:
        for face in FACES:
            assert (await faces.call(face, LIFE_PATH, arguments)).status == "OK", face
    await mesh.printed("redis was ended by SIGKILL")
    await mesh.recovered(lambda: cache_of(faces))
    for face in FACES:
        assert (await faces.call(face, LIFE_PATH, BIRTH)).status == "OK", face


async def test_rest_and_grpc_go_on_without_a_failed_call_while_the_gateway_is_away(mesh, faces):
    mesh.child("onenumbers_gateway").kill()
    for arguments in births(1920):
        for face in ("grpc", "rest"):
            assert (await faces.call(face, LIFE_PATH, arguments)).status == "OK", face
    for face in ("mcp", "call"):
        await mesh.recovered(lambda face=face: faces.call(face, LIFE_PATH, BIRTH))


async def test_a_server_that_was_killed_is_unavailable_and_comes_back_on_every_face(mesh, faces):
    mesh.child("onenumbers_utilities").kill()
    seen = {face: set() for face in FACES}
    for arguments in births(1940):
        for face in FACES:
            seen[face].add((await faces.call(face, LIFE_PATH, arguments)).status)
    for face, statuses in seen.items():
        assert statuses <= {"OK", "UNAVAILABLE"}, (face, statuses)
    assert (await faces.http.get("/v1/tools")).json()["total"] > 0
    for face in FACES:
        await mesh.recovered(lambda face=face: faces.call(face, LIFE_PATH, BIRTH))


async def test_an_envoy_that_was_killed_is_back_on_every_face(mesh, faces):
    mesh.child("envoy").kill()
    for face in FACES:
        await mesh.recovered(lambda face=face: faces.call(face, LIFE_PATH, BIRTH))
    await mesh.printed("edge was ended by SIGKILL")


async def cache_of(faces):
    """The gateway's view of Redis, as an outcome."""
    outcome = faces.json(await faces.http.get("/v1/health"))
    return replace(outcome, status=outcome.result["cache"].upper())


@pytest.fixture(autouse=True)
async def _whole_before(mesh, faces):
    """Each fault meets a whole mesh."""
    for face in FACES:
        await mesh.recovered(lambda face=face: faces.call(face, LIFE_PATH, BIRTH))
