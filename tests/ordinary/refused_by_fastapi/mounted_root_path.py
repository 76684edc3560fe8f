"""/v1/planted | root_path"""

from fastapi import APIRouter, FastAPI

from app.auth.policy import public

router = APIRouter()
router.mount("/v1/planted", public(FastAPI(root_path="/elsewhere")))
