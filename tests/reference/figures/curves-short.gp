set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 338 background '#ffffff'
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
1 0.32
2 0.32
3 0.32
EOD
$S1 << EOD
1 48.4842292
2 45.1729517
3 46.4815736
EOD
$S2 << EOD
1 237.184089
2 244.313378
3 253.589108
EOD
$S3 << EOD
1 285.668319
2 289.48633
3 300.070681
EOD
set origin 0, 0
set size noratio 1, 1
set title 'recorded   (batch 256, D 256)'
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
set logscale y
set mytics default
set format y '%g'
set yrange [0.243369996:394.554052]
set ytics (0.1, 0.2, '' 0.3 1, '' 0.4 1, 0.5, '' 0.6 1, '' 0.7 1, '' 0.8 1, '' 0.9 1, 1, 2, '' 3 1, '' 4 1, 5, '' 6 1, '' 7 1, '' 8 1, '' 9 1, 10, 20, '' 30 1, '' 40 1, 50, '' 60 1, '' 70 1, '' 80 1, '' 90 1, 100, 200, '' 300 1, '' 400 1, 500, '' 600 1, '' 700 1, '' 800 1, '' 900 1)
set xrange [-0.06:3.06]
set offsets 0, 0, 0, 0
set key on outside center top horizontal reverse Left maxcols 4
plot $S0 with lines linecolor rgb '#009e73' linewidth 1 pointtype 7 pointsize .45 dashtype 2 title 'floor', $S1 with lines linecolor rgb '#d55e00' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'λ·redundancy', $S2 with lines linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'invariance', $S3 with lines linecolor rgb '#202020' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'total'
