#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares barlow's own sweep of 40 trials with a study of Optuna that runs its trials by `barlow sweep ask-tell`: wall
time, trials lost by a SIGKILL of the driver, and whether two runs give the same results.  Needs Optuna.

    python3 bench/sweep_optuna.py ./barlow
"""
import json, os, shutil, signal, subprocess, sys, tempfile, threading, time

import optuna

TRIALS, JOBS = 40, 2
BARLOW = os.path.abspath(sys.argv[1])
DECLARATION = """
return sweep{
	base = { data = data.shapes{ n = 1000, size = 12, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 8, 16 }, image = 12 },
		projector = { 32, 32 }, batch = 64, epochs = 4, seed = 1 },
	space = { ["loss.lambda"] = sweep.loguniform(1e-4, 1e-1), ["optim.lr"] = sweep.loguniform(1e-4, 1e-2) },
	baseline = false, seeds = 1, sampler = "random", budget = { trials = %d }, folder = %s,
}
"""
optuna.logging.set_verbosity(optuna.logging.ERROR)


def declare(folder):
    path = folder + ".lua"
    with open(path, "w") as f:
        f.write(DECLARATION % (TRIALS, json.dumps(folder)))
    return path


def results(folder):
    """Returns the values of the completed trials; the keys are their parameters as JSON."""
    out = subprocess.run([BARLOW, "sweep", "status", folder, "--json"], capture_output=True, text=True, check=True).stdout
    return {json.dumps(t["params"], sort_keys=True): t["value"] for t in json.loads(out)["trials"] if t.get("value") is not None}


def run_barlow(script):
    began = time.time()
    subprocess.run([BARLOW, "sweep", "run", script, "--jobs", str(JOBS), "--plain"], stdout=subprocess.DEVNULL, check=True)
    return time.time() - began


def killed_barlow(script, folder, seconds):
    driver = subprocess.Popen([BARLOW, "sweep", "run", script, "--jobs", str(JOBS), "--plain"], stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(2)  # each worker ends after its trial
    kept = len(results(folder))
    run_barlow(script)
    return kept, results(folder)


class Workers:
    """One ask-tell process for each thread of Optuna."""

    def __init__(self, script):
        self.script, self.local, self.all = script, threading.local(), []

    def objective(self, trial):
        if not hasattr(self.local, "process"):
            self.local.process = subprocess.Popen([BARLOW, "sweep", "ask-tell", self.script], stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, text=True, bufsize=1)
            self.all.append(self.local.process)
        p = self.local.process
        question = {"id": trial.number, "seed": 1, "params": {
            "loss.lambda": trial.suggest_float("loss.lambda", 1e-4, 1e-1, log=True),
            "optim.lr": trial.suggest_float("optim.lr", 1e-4, 1e-2, log=True)}}
        p.stdin.write(json.dumps(question) + "\n")
        for line in p.stdout:
            answer = json.loads(line)
            if "state" in answer:
                return answer["value"]

    def end(self):
        for p in self.all:
            p.stdin.close()
            p.wait()


def run_optuna(script, storage=None):
    workers = Workers(script)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1), storage=storage)
    began = time.time()
    study.optimize(workers.objective, n_trials=TRIALS, n_jobs=JOBS)
    seconds = time.time() - began
    workers.end()
    return seconds, {json.dumps(t.params, sort_keys=True): t.value for t in study.trials}


def killed_optuna(script, root, seconds):
    """Kills a separate process that runs Optuna with a database; returns the numbers of completed and lost trials."""
    storage = "sqlite:///" + os.path.join(root, "optuna.db")
    driver = subprocess.Popen([sys.executable, os.path.abspath(__file__), BARLOW, "--drive", script, storage])
    time.sleep(seconds)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    states = [t.state.name for t in optuna.load_study(study_name=None, storage=storage).trials]
    return states.count("COMPLETE"), states.count("RUNNING")


def main():
    root = tempfile.mkdtemp()
    folders = [os.path.join(root, name) for name in ("one", "two", "killed", "asked")]
    scripts = [declare(folder) for folder in folders]
    seconds = [run_barlow(scripts[0]), run_barlow(scripts[1])]
    same = results(folders[0]) == results(folders[1])
    kept, after = killed_barlow(scripts[2], folders[2], seconds[0] / 2)
    a, b = run_optuna(scripts[3]), run_optuna(scripts[3])
    complete, lost = killed_optuna(scripts[3], root, a[0] / 2)
    print("| 40 random trials, 2 at a time | barlow sweep | Optuna %s and barlow's ask-tell |" % optuna.__version__)
    print("| --- | --- | --- |")
    print("| wall time, two runs | %.1f s, %.1f s | %.1f s, %.1f s |" % (*seconds, a[0], b[0]))
    print("| the same results in both | %s | %s |" % (same, a[1] == b[1]))
    print("| driver killed after half of the time | %d trials kept, 0 lost, all %d in the end: %s |" %
          (kept, len(after), after == results(folders[0])), end="")
    print(" %d trials kept, %d lost (running in the database for ever) |" % (complete, lost))
    shutil.rmtree(root)


if len(sys.argv) > 3 and sys.argv[2] == "--drive":
    run_optuna(sys.argv[3], sys.argv[4])
else:
    main()
