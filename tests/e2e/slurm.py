"""A Slurm of one node for tests: Debian's daemons with a configuration, a key and ports of their own."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.e2e.studies import wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
# Debian keeps the daemons where only root looks.
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
CPUS = 4  # as many jobs at a time; the machine may have fewer
# No accounting: sacct does not work, as on clusters without its database. cred_expire and sched_interval, and
# KillWait: what is requeued starts again in seconds, not minutes.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=6
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""


def missing_programs() -> list[str]:
    """What of Slurm is not installed here."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


@contextlib.contextmanager
def cluster(folder: Path, controller_port: int, node_port: int) -> Iterator[Path]:
    """The configuration file of a Slurm that runs while the block does: the value for SLURM_CONF."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            user=getpass.getuser(),
            folder=folder,
            controller_port=controller_port,
            node_port=node_port,
            cpus=CPUS,
        )
    )
    environment = {**os.environ, "SLURM_CONF": str(configuration), "PATH": SEARCHED}
    munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    with (
        _daemon(["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge], folder),
        _daemon(["slurmctld", "-D", "-c", "-f", str(configuration)], folder),
        _daemon(["slurmd", "-D", "-f", str(configuration)], folder),
    ):

        def said(*command: str) -> str:
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            ).stdout.strip()

        wait_for(lambda: said("sinfo", "--noheader", "--partition=main", "--format=%T") == "idle", 30)
        try:
            yield configuration
        finally:
            # The processes of jobs outlive slurmd, so none may be left.
            def no_job_is_left() -> bool:
                said("scancel", f"--user={getpass.getuser()}")
                return not said("squeue", "--noheader")

            wait_for(no_job_is_left, 60)


@contextlib.contextmanager
def _daemon(command: Sequence[str], folder: Path) -> Iterator[None]:
    program = shutil.which(command[0], path=SEARCHED)
    assert program is not None
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen([program, *command[1:]], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
