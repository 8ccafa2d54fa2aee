/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * meter.h (private): what looking may cost: a share of the training time, earned as it passes.
 *
 * What was not spent is worth no more than the next thing's price and a
 * second's income, so that a long quiet time is no licence for a loud one.
 */
#ifndef BARLOW_MONITOR_METER_H
#define BARLOW_MONITOR_METER_H

#include <math.h>
#include <stdbool.h>

typedef struct bl_meter {
	double credit, price; /* seconds; the price of a thing is what it cost last */
} bl_meter;

static inline void bl_meter_earn(bl_meter *m, double rate, double seconds)
{
	m->credit = fmin(m->credit + rate * fmax(seconds, 0), m->price + rate);
}

static inline bool bl_meter_affords(const bl_meter *m)
{
	return m->credit >= m->price;
}

static inline void bl_meter_pay(bl_meter *m, double seconds)
{
	m->credit -= seconds;
	m->price = seconds;
}

#endif
