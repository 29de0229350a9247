"""What reaches beyond an answer, and no exercise needs: memory, frames, files, processes, other code."""

from __future__ import annotations

from typing import Final

__all__ = ["HATCHES", "HATCH_ATTRIBUTES", "NO_HATCHES"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HATCHES: Final = _words(
    """
    ctypes _ctypes cffi gc inspect mmap
    sys._getframe sys._current_frames sys._getframemodulename sys.modules sys.meta_path sys.path_hooks
    sys.settrace sys.setprofile sys.monitoring traceback.walk_stack tracemalloc faulthandler
    importlib pkgutil runpy imp builtins.__import__ zipimport
    builtins.exec builtins.eval builtins.compile builtins.__builtins__ builtins.__loader__ builtins.__spec__
    code codeop types.FunctionType types.CodeType types.FrameType dis
    os posix nt shutil tempfile glob pathlib io.open io.open_code io.FileIO builtins.open fcntl resource pty
    subprocess multiprocessing signal threading _thread concurrent asyncio atexit sched
    socket socketserver ssl http urllib requests ftplib smtplib xmlrpc
    pickle _pickle marshal shelve dill cloudpickle joblib copyreg
    builtins.breakpoint pdb bdb
    torch.jit.CompilationUnit torch.jit.load torch.utils.cpp_extension torch.library torch.hub torch.package
    torch.ops.load_library torch.classes torch.overrides torch.utils._python_dispatch torch.multiprocessing
    torch.distributed torch._C
    """
)
"""Dotted names; what lies below one of them counts too."""

NO_HATCHES: Final = frozenset({"os.path", "importlib.metadata"})

HATCH_ATTRIBUTES: Final = _words(
    """
    __subclasses__ __globals__ __builtins__ __code__ __closure__ __mro__ __bases__ __base__ __reduce__
    __reduce_ex__ __loader__ __spec__ __traceback__ __getattribute__ cell_contents
    f_back f_globals f_locals f_builtins f_code gi_frame gi_code cr_frame ag_frame tb_frame tb_next
    _getframe __torch_function__ __torch_dispatch__
    """
)
"""On whatever they are looked up."""
