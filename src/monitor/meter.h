/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * meter.h (private): a budget of time for measurements, which grows by a share of the training time.
 *
 * Unused credit is limited to the price of the next measurement plus the growth in one second, so that a long time
 * without measurements is not followed by many measurements at once.
 */
#ifndef BARLOW_MONITOR_METER_H
#define BARLOW_MONITOR_METER_H

#include <math.h>
#include <stdbool.h>

typedef struct bl_meter {
	double credit, price; /* seconds; price: the expected cost of the next measurement, by default that of the last */
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
