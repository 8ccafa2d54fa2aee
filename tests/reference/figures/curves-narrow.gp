set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 322 background '#ffffff'
set encoding utf8
set border 3 linecolor rgb '#404040' linewidth .8
set tics nomirror out scale .6, .35 textcolor rgb '#202020'
set mxtics 2
set mytics 2
set grid linecolor rgb '#e4e4e4' linewidth .6 linetype 1
set datafile missing NaN
set errorbars small
set key noenhanced samplen 1.8 spacing 1.1
$S0 << EOD
1 3
2 2.5
3 2
EOD
set origin 0, 0
set size noratio 1, 1
set title 'narrow   (batch 8, D 4)'
set xlabel 'step'
set ylabel 'loss'
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set xrange [-0.06:3.06]
set offsets 0, 0, graph .05, graph .05
set key off
plot $S0 with lines linecolor rgb '#202020' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 notitle
