#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A sweep as a Slurm array: each task makes its share of the trials, in a folder that all nodes see.
#
#     barlow -e 'dofile "lambda.lua"'     # once, where the folder is to be: folder = "/shared/lambda" in sweep{...}
#     sbatch --array=1-8 examples/cluster/slurm.sh /shared/lambda
#
# A task that is requeued, or run out of time and submitted again, goes on where it was.
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60
exec barlow sweep worker "$1" --threads "${SLURM_CPUS_PER_TASK:-1}"
