#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Optuna chooses the points of a barlow sweep.  Needs python3-optuna, or `pip install optuna`.

    python3 examples/optuna_sweep.py examples/lambda_sweep.lua 20
"""
import json, os, subprocess, sys
import optuna

barlow = subprocess.Popen([os.environ.get("BARLOW", "barlow"), "sweep", "ask-tell", sys.argv[1]],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

def say(**message):
    barlow.stdin.write(json.dumps(message) + "\n")

def objective(trial):
    say(id=trial.number, seed=1, params={"loss.lambda": trial.suggest_float("loss.lambda", 1e-4, 1e-1, log=True),
                                         "optim.lr": trial.suggest_float("optim.lr", 1e-4, 1e-2, log=True)})
    asked = False
    for line in barlow.stdout:
        answer = json.loads(line)
        if "state" in answer:
            break
        trial.report(answer["value"], answer["step"])
        if trial.should_prune() and not asked:
            asked = True
            say(prune=True)
    if answer["state"] != "complete":
        raise optuna.TrialPruned(answer.get("reason"))
    return answer["value"]

study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_warmup_steps=100))
study.optimize(objective, n_trials=int(sys.argv[2]))
print(study.best_value, study.best_params)
