"""/files/{path} | StaticFiles | @public"""

from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles

router = APIRouter(prefix="/v1/planted")


router.mount("/files", StaticFiles(directory="docs"))
