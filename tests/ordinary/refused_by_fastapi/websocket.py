"""/v1/planted/ws | WebSocket | HTTP only"""

from fastapi import APIRouter, WebSocket

router = APIRouter(prefix="/v1/planted")


@router.websocket("/ws")
async def talk(socket: WebSocket): ...
