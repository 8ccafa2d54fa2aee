set encoding utf8
set border 3 linecolor rgb '#505050' linewidth 1
set tics nomirror out scale .6 textcolor rgb '#303030'
set grid linecolor rgb '#e2e2e2' linewidth 1 linetype 1
set key noenhanced samplen 2 spacing 1.2
set datafile missing NaN
$S0 << EOD
1 10
2 20
3 35
EOD
$S1 << EOD
0.001 0.3
1 2
5000 40
EOD
set multiplot layout 2,1
set lmargin 11
set title 'above'
set xlabel ''
set ylabel ''
unset logscale
set autoscale
set autoscale xfix
set xtics autofreq
set ytics autofreq
set format '%g'
set size noratio
set logscale y
set format y '%g'
set yrange [9.51124302:36.7985551]
set ytics (10, 15, 20, 25, 30, 35)
set key outside center top horizontal reverse Left
plot $S0 with linespoints linecolor rgb '#0072b2' linewidth 2 pointtype 7 pointsize .7 dashtype 1 title 'it'."'".'s'
set title 'below'
set xlabel ''
set ylabel ''
unset logscale
set autoscale
set autoscale xfix
set xtics autofreq
set ytics autofreq
set format '%g'
set size noratio
set key outside center top horizontal reverse Left
plot $S1 with linespoints linecolor rgb '#0072b2' linewidth 2 pointtype 7 pointsize .7 dashtype 1 title 'across'
unset multiplot
