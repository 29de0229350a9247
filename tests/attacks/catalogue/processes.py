"""Submissions that want more than the one process they have: others, threads, signals, higher limits.

Most are right answers once their attempt got through, so that points tell of a hole: an attempt that is held
back raises, and earns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent, indent

from tests.attacks.attack import Attack

_BEFORE = """\
import ctypes, os, signal, subprocess, sys, time, resource, platform
import torch

libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"


def must(result):
    if result is None or result < 0:
        raise OSError(ctypes.get_errno(), "held back")
    return result


def call(on_x86, on_arm, *arguments):
    return must(libc.syscall(ctypes.c_long(on_x86 if x86 else on_arm), *arguments))


def neighbours():
    me, parent = os.getpid(), os.getppid()
    return [pid for pid in (parent, *range(max(2, me - 40), me + 40)) if pid not in (0, me)]


def any_of(what, whom):
    refused = None
    for one in whom:
        try:
            return what(one)
        except Exception as error:
            refused = error
    raise refused


def others(what):
    any_of(what, neighbours())


"""

_AFTER = """\


def softmax(x, dim):
    any_of(lambda attempt: attempt(), attempts)
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""


def _attack(name: str, attempts: Mapping[str, str]) -> Attack:
    """An attack whose softmax is right if any of the attempts gets through."""
    functions = [f"def {each}():\n{indent(dedent(body), '    ')}" for each, body in attempts.items()]
    listed = f"attempts = [{', '.join(attempts)}]\n"
    return Attack(name, {"softmax.py": "\n\n".join([_BEFORE, *functions, listed]) + _AFTER})


_ATTEMPTS: dict[str, dict[str, str]] = {
    "processes": {
        "fork": "if os.fork() == 0: time.sleep(60)",
        "forkpty": "if os.forkpty()[0] == 0: time.sleep(60)",
        "fork_of_the_c_library": "if must(libc.fork()) == 0: time.sleep(60)",
        "vfork_of_the_c_library": "if must(libc.vfork()) == 0: libc._exit(0)",
        "clone_with_shared_memory": "call(56, 220, 0x00000100, None, None, None, None)",
        "clone_into_a_new_user_namespace": "call(56, 220, 0x10000000 | 17, None, None, None, None)",
        "clone3": """\
            arguments = (ctypes.c_uint64 * 11)()
            arguments[4] = 17  # the signal of its end
            call(435, 435, arguments, ctypes.c_size_t(88))

            """,
    },
    "programs": {
        "posix_spawn": "os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {})",
        "posix_spawnp_of_a_shell": "os.posix_spawnp('sh', ['sh', '-c', 'sleep 60'], {})",
        "subprocess_of_python": "subprocess.run([sys.executable, '-c', ''], check=True)",
        "subprocess_of_a_shell": "subprocess.run('true', shell=True, check=True)",
        "os_system": "must(-os.system('true'))",
        "os_popen": "os.popen('true').read()",
        "another_program_in_its_place": "os.execv(sys.executable, [sys.executable, '-c', ''])",
        "a_program_without_a_file": """\
            program = call(319, 279, b"program", 0)
            with open(sys.executable, "rb") as file:
                os.write(program, file.read())
            call(322, 281, program, b"", None, None, 0x1000)

            """,
    },
    "processes_of_libraries": {
        "multiprocessing": """\
            import multiprocessing
            process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
            process.start()

            """,
        "multiprocessing_by_spawning": """\
            import multiprocessing
            multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,)).start()

            """,
        "a_pool_of_processes": """\
            import multiprocessing
            with multiprocessing.Pool(2) as pool:
                pool.map(abs, [1, 2])

            """,
        "torch_multiprocessing": """\
            import torch.multiprocessing
            torch.multiprocessing.start_processes(time.sleep, (60,), nprocs=1, start_method="fork")

            """,
        "workers_of_a_dataloader": """\
            from torch.utils.data import DataLoader
            list(DataLoader([1.0, 2.0], num_workers=2))

            """,
    },
    "a_thread_that_goes_on_after_the_answer": {
        "a_thread_that_goes_on_after_the_answer": """\
            import threading

            def go_on():
                while True:
                    for number in range(3, 64):
                        try:
                            os.write(number, b"x")
                        except OSError:
                            pass
                    time.sleep(0.01)

            threading.Thread(target=go_on, daemon=True).start()

            """,
    },
    "threads_of_python": {
        "a_thread_of_the_low_level_module": """\
            import _thread
            _thread.start_new_thread(time.sleep, (60,))

            """,
        "a_pool_of_threads": """\
            from concurrent.futures import ThreadPoolExecutor
            ThreadPoolExecutor(2).submit(abs, -1).result()

            """,
        "a_timer": """\
            import threading
            threading.Timer(0.5, os._exit, (0,)).start()

            """,
        "asyncio_in_a_thread": """\
            import asyncio
            asyncio.run(asyncio.to_thread(abs, -1))

            """,
        "a_watchdog_thread_in_c": """\
            import faulthandler
            with open(os.devnull, "w") as file:
                faulthandler.dump_traceback_later(0.2, exit=True, file=file)

            """,
    },
    "threads_of_the_c_library": {
        "pthread_create": """\
            routine = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: None)
            must(-libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, routine, None))

            """,
        "clone_of_a_thread": """\
            stack = ctypes.create_string_buffer(1 << 16)
            call(56, 220, 0x003D0F00, ctypes.byref(stack, 1 << 15), None, None, None)

            """,
    },
    "threads_of_torch": {
        "threads_of_torch": """\
            torch.set_num_threads(8)
            a = torch.ones(700, 700)
            wall, used = time.monotonic(), time.process_time()
            while time.monotonic() - wall < 0.1:
                a @ a
            if time.process_time() - used < 1.3 * (time.monotonic() - wall):
                raise OSError("one processor is all there is")

            """,
        "threads_between_ops_of_torch": """\
            torch.set_num_interop_threads(4)

            @torch.jit.script
            def twice(a: torch.Tensor) -> torch.Tensor:
                return torch.jit.wait(torch.jit.fork(torch.relu, a)) * 2

            twice(torch.ones(3))

            """,
    },
    "signals_to_its_parent": {
        "kill_the_parent": "os.kill(os.getppid(), signal.SIGKILL)",
        "stop_the_parent": "os.kill(os.getppid(), signal.SIGSTOP)",
    },
    "signals_to_everybody": {
        "kill_everybody": "os.kill(-1, signal.SIGKILL)",
        "kill_its_own_group": "os.killpg(0, signal.SIGKILL)",
        "kill_the_groups_of_others": "others(lambda pid: os.killpg(pid, signal.SIGKILL))",
    },
    "signals_to_its_neighbours": {
        "kill_its_neighbours": "others(lambda pid: os.kill(pid, signal.SIGKILL))",
        "tkill": "others(lambda pid: call(200, 130, pid, 9))",
        "tgkill": "others(lambda pid: call(234, 131, pid, pid, 9))",
        "tgkill_with_a_pid_of_64_bits": """\
            own = ctypes.c_long(os.getpid() + (1 << 32))
            others(lambda pid: call(234, 131, own, pid, 9))
            """,
        "sigqueue": "others(lambda pid: must(libc.sigqueue(pid, 9, None)))",
        "rt_tgsigqueueinfo": """\
            info = (ctypes.c_int * 32)(9, 0, -1)
            others(lambda pid: call(297, 240, pid, pid, 9, info))

            """,
        "a_signal_by_pidfd": "others(lambda pid: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL))",
    },
    "signals_by_its_descriptor": {
        "signals_by_its_descriptor": """\
            import fcntl
            others(lambda pid: fcntl.fcntl(0, fcntl.F_SETOWN, pid))

            """,
    },
    "signals_to_itself": {
        "kill_itself": "signal.raise_signal(signal.SIGKILL)",
        "stop_itself": "signal.raise_signal(signal.SIGSTOP)",
        "its_processor_time_is_up_it_says": "signal.raise_signal(signal.SIGXCPU)",
    },
    "ptrace": {
        "ptrace_its_parent": "must(libc.ptrace(16, os.getppid(), None, None))",
        "seize_its_neighbours": "others(lambda pid: must(libc.ptrace(0x4206, pid, None, None)))",
        "ask_to_be_traced": "must(libc.ptrace(0, 0, None, None))",
    },
    "memory_of_others": {
        "read_its_parents_memory": """\
            buffer = ctypes.create_string_buffer(8)
            piece = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
            others(lambda pid: must(libc.process_vm_readv(pid, piece, 1, piece, 1, 0)))

            """,
        "write_its_parents_memory": """\
            buffer = ctypes.create_string_buffer(8)
            piece = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
            others(lambda pid: must(libc.process_vm_writev(pid, piece, 1, piece, 1, 0)))

            """,
        "open_the_memory_of_others": "others(lambda pid: os.open(f'/proc/{pid}/mem', 2))",
        "process_madvise": "others(lambda pid: call(440, 440, os.pidfd_open(pid), None, 0, 4, 0))",
    },
    "descriptors_of_others": {
        "list_the_descriptors_of_others": "others(lambda pid: os.listdir(f'/proc/{pid}/fd'))",
        "take_a_descriptor_of_its_parent": "others(lambda pid: call(438, 438, os.pidfd_open(pid), 3, 0))",
        "compare_with_its_parent": "call(312, 272, os.getpid(), os.getppid(), 1, 0, 0)",
        "copies_of_its_descriptor": "any_of(os.dup, range(64))",
    },
    "prctl": {
        "dumpable_again": "must(libc.prctl(4, 1, 0, 0, 0))",
        "outlive_its_parent": "must(libc.prctl(1, 0, 0, 0, 0))",
        "adopt_orphans": "must(libc.prctl(36, 1, 0, 0, 0))",
        "let_anyone_trace": "must(libc.prctl(0x59616D61, ctypes.c_long(-1), 0, 0, 0))",
        "a_filter_of_its_own": "must(libc.prctl(22, 1, 0, 0, 0))",
        "keep_powers": "must(libc.prctl(8, 1, 0, 0, 0))",
    },
    "users_and_powers": {
        "take_powers_back": """\
            header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
            must(libc.capset(header, sets))

            """,
        "become_root": "os.setuid(0)",
        "become_its_neighbour": "os.setresuid(os.getuid() + 1, -1, -1)",
    },
    "higher_limits": {
        "raise_every_limit": """\
            def lift(which):
                resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

            any_of(lift, range(16))

            """,
        "raise_its_soft_limit_of_time": """\
            soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))

            """,
        "lower_the_limits_of_its_parent": "others(lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)))",
        "more_files_by_number": "call(302, 261, 0, 7, (ctypes.c_uint64 * 2)(4096, 4096), None)",
    },
    "processors_and_priority": {
        "another_processor": "os.sched_setaffinity(0, {0})",
        "its_parents_processor": "os.sched_setaffinity(os.getppid(), {0})",
        "before_all_others": "os.setpriority(os.PRIO_PROCESS, 0, -20)",
        "all_others_behind": "others(lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19))",
        "in_real_time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "first_at_the_disk": "call(251, 30, 1, 0, 1 << 13)",
    },
    "alarms": {
        "alarm": """\
            signal.alarm(9)
            must(0 if 0 < signal.alarm(0) < 10 else -1)
            """,
        "interval_timer": "signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)",
        "posix_timer": "call(222, 107, 1, None, ctypes.byref(ctypes.c_int()))",
    },
    "groups_and_sessions": {
        "a_group_of_its_own": "os.setpgid(0, os.getppid())",
        "a_session_of_its_own": "os.setsid()",
    },
    "namespaces": {
        "new_namespaces": "must(libc.unshare(0x10000000 | 0x00020000))",
        "another_root": "os.chroot('/')",
        "mount": "must(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    },
    "rare_system_calls": {
        "io_uring": "call(425, 425, 8, ctypes.create_string_buffer(120))",
        "bpf": "call(321, 280, 0, ctypes.create_string_buffer(128), 128)",
        "userfaultfd": "call(323, 282, 0)",
        "perf_event_open": "call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0)",
    },
    "things_that_stay_in_the_kernel": {
        "a_key_that_stays": "call(248, 217, b'user', b'kept', b'x', 1, -4)",
        "shared_memory_that_stays": "must(libc.shmget(1234, 4096, 0o1666))",
        "a_message_queue_that_stays": "must(libc.msgget(1234, 0o1666))",
        "a_semaphore_that_stays": "must(libc.semget(1234, 1, 0o1666))",
        "a_posix_queue_that_stays": "call(240, 180, b'kept', 0o102, 0o666, None)",
        "posix_shared_memory": """\
            from multiprocessing.shared_memory import SharedMemory
            SharedMemory("kept", create=True, size=4096)

            """,
        "shared_memory_of_torch": "torch.ones(3).share_memory_()",
        "memory_as_a_file": "os.memfd_create('kept')",
    },
    "ways_to_talk_to_others": {
        "a_socket": "import socket; socket.socket(socket.AF_UNIX)",
        "a_pair_of_sockets": "import socket; socket.socketpair()",
        "a_netlink_socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "pipe": "os.pipe()",
    },
    "a_call_as_a_32_bit_program": {
        "a_call_as_a_32_bit_program": """\
            import mmap
            page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            page.write(b"\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 2 (fork); int 0x80; ret
            must(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())

            """,
    },
    "a_call_of_the_x32_kind": {
        "a_call_of_the_x32_kind": "call(0x40000000 | 57, 0x40000000 | 220, 0, None, None, None, None)",
    },
    "a_call_with_a_number_of_64_bits": {
        "a_call_with_a_number_of_64_bits": "call((1 << 32) | 57, (1 << 32) | 220, 0, None, None, None, None)",
    },
}

ATTACKS = [
    *(_attack(name, attempts) for name, attempts in _ATTEMPTS.items()),
    Attack(
        "fork_at_import",
        {"softmax.py": f"{_BEFORE}attempts = [os.fork]\n\nif os.fork() == 0:\n    time.sleep(60)\n{_AFTER}"},
        verdicts=frozenset({"error"}),
    ),
    Attack(
        "ignored_signals",
        {
            "softmax.py": _BEFORE
            + dedent(
                """\
                def softmax(x, dim):
                    for number in range(1, 65):
                        try:
                            signal.signal(number, signal.SIG_IGN)
                        except (OSError, ValueError):
                            pass
                    while True:
                        pass
                """
            )
        },
        verdicts=frozenset({"timeout"}),
        patient=True,
    ),
    Attack(
        "blocked_signals",
        {
            "softmax.py": _BEFORE
            + dedent(
                """\
                def softmax(x, dim):
                    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                    while True:
                        try:
                            time.sleep(9)
                        except BaseException:
                            pass
                """
            )
        },
        verdicts=frozenset({"timeout"}),
        patient=True,
    ),
    Attack(
        "an_exit_that_never_ends",
        {
            "softmax.py": _BEFORE
            + dedent(
                """\
                import atexit


                def for_ever():
                    while True:
                        time.sleep(1)


                class Lasting:
                    __del__ = lambda self: for_ever()


                kept = Lasting()
                atexit.register(for_ever)


                def softmax(x, dim):
                    sys.exit(0)
                """
            )
        },
        verdicts=frozenset({"failed"}),
    ),
]
