/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * train_and_resume.c: trains a run from C, saves it in a folder, stops it, and resumes it.
 *
 *     cc train_and_resume.c $(pkg-config --cflags --libs barlow) -o train_and_resume
 *     ./train_and_resume my-run 40      trains 40 steps, and stops
 *     ./train_and_resume my-run         resumes it to the end, to the same bits as if it had never stopped
 *
 * `barlow watch my-run/` shows the run while it trains.
 */
#include <barlow/error.h>
#include <barlow/place.h>
#include <barlow/runs.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fail(void)
{
	fprintf(stderr, "%s\n", bl_error());
	return EXIT_FAILURE;
}

/* All settings of the run, which have to be the same in both calls. */
static bl_trainer *make_trainer(void)
{
	bl_trainer_config c = {
		.name = "from-c",
		.batch = 32,
		.epochs = 20,
		.seed = 1,
		.data = bl_dataset_shapes(&(bl_shapes_config){ .n = 128, .size = 16, .channels = 1, .seed = 1 }),
		.first = bl_pipeline_parse("crop{size = 16, scale = {0.5, 1}}, flip"),
		.encoder = bl_nn_cnn(&(bl_cnn_config){
			.channels = 1, .layers = 2, .widths = (int64_t[]){ 8, 16 }, .strides = (int[]){ 1, 2 } }),
		.projector = bl_nn_mlp(&(bl_mlp_config){
			.in = 16 * 8 * 8, .layers = 2, .widths = (int64_t[]){ 32, 32 }, .norm = true, .last_plain = true }),
		.optim = bl_optim_default("adamw"),
		.schedule = bl_schedule_default("cosine"),
	};
	c.second = c.first;
	bl_module_init(c.encoder, 1);
	bl_module_init(c.projector, 2);
	return bl_trainer_new(&c); /* takes references of its own; ours are released when the program ends */
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "my-run";
	long long steps = argc > 2 ? atoll(argv[2]) : 0;
	bl_trainer *t = make_trainer();
	bl_place *p = t ? bl_place_new(t) : NULL;
	char *checkpoint = bl_runs_path(folder, BL_RUN_CHECKPOINT);
	if (!p || !checkpoint || (access(checkpoint, R_OK) == 0 && bl_place_load(p, folder) != 0))
		return fail();
	if (bl_place_settle(p, folder) != 0)
		return fail();
	printf("%s from step %lld\n", folder, (long long)bl_trainer_progress(t).step);
	if (bl_trainer_start(t) != 0)
		return fail();
	while (bl_trainer_wait(t, .01) == 0 && (steps == 0 || bl_live_length(bl_trainer_live(t)) < steps))
		;
	bl_trainer_command(t, (bl_command){ .kind = BL_CMD_STOP });
	if (bl_trainer_wait(t, -1) < 0 || bl_trainer_saved(t) != 0)
		return fail();
	printf("%s at step %lld\n", bl_run_state_name(bl_trainer_state(t)), (long long)bl_trainer_progress(t).step);
	bl_trainer_free(t);
	bl_place_free(p);
	free(checkpoint);
	return EXIT_SUCCESS;
}
