#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A sweep as a Slurm array: each task runs its share of the trials, in a folder that all nodes share.
#
#     barlow -e 'dofile "lambda.lua"'     # once, to make the folder: with folder = "/shared/lambda" in sweep{...}
#     sbatch --array=1-8 examples/cluster/slurm.sh /shared/lambda
#
# A task that is requeued, or that is submitted again after its time was up, resumes its trial.
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60
exec barlow sweep worker "$1" --threads "${SLURM_CPUS_PER_TASK:-1}"
