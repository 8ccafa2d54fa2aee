# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/view/board.c \
	src/view/canvas.c src/view/canvas.h \
	src/view/chart.c src/view/chart.h \
	src/view/colour.c src/view/colour.h \
	src/view/key_actions.c src/view/key_actions.h \
	src/view/curves.c src/view/curves.h \
	src/view/curves_save.c \
	src/view/curves_panes.c \
	src/view/dashboard.c \
	src/view/embedding.c \
	src/view/export.c src/view/export.h \
	src/view/figure_show.c src/view/figure_show.h \
	src/view/frame.c src/view/frame.h \
	src/view/guard.c src/view/guard.h \
	src/view/heat.c src/view/heat.h \
	src/view/heatmap.c src/view/heatmap.h \
	src/view/heatmap_act.c \
	src/view/heatmap_panel.c \
	src/view/heatmap_place.c \
	src/view/heatmap_save.c \
	src/view/heatmap_several.c \
	src/view/heatmap_side.c \
	src/view/help.c \
	src/view/histogram.c src/view/histogram.h \
	src/view/run_journal.c src/view/run_journal.h \
	src/view/keys.c src/view/keys.h \
	src/view/look.c src/view/look.h \
	src/view/key_manual.c src/view/key_manual.h \
	src/view/metric.c src/view/metric.h \
	src/view/number_text.c src/view/number_text.h \
	src/view/timeline.c src/view/timeline.h \
	src/view/matrix_picture.c src/view/matrix_picture.h \
	src/view/run_diff.c \
	src/view/run_facts.c src/view/run_facts.h \
	src/view/run_table.c src/view/run_table.h \
	src/view/runs_view.c \
	src/view/samples.c \
	src/view/scene.c src/view/scene.h \
	src/view/light.c src/view/light.h \
	src/view/screen.c src/view/screen.h \
	src/view/settings.c \
	src/view/sixel.c \
	src/view/spectrum_view.c \
	src/view/frame_text.c \
	src/view/track.c src/view/track.h \
	src/view/view_list.c \
	src/view/wanted.c \
	src/view/watch.c
