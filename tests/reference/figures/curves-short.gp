set encoding utf8
set border 3 linecolor rgb '#505050' linewidth 1
set tics nomirror out scale .6 textcolor rgb '#303030'
set grid linecolor rgb '#e2e2e2' linewidth 1 linetype 1
set key noenhanced samplen 2 spacing 1.2
set datafile missing NaN
$COLUMN6 << EOD
1 0.32
2 0.32
3 0.32
EOD
$COLUMN3 << EOD
1 48.4842292
2 45.1729517
3 46.4815736
EOD
$COLUMN1 << EOD
1 237.184089
2 244.313378
3 253.589108
EOD
$COLUMN5 << EOD
1 285.668319
2 289.48633
3 300.070681
EOD
set lmargin 10
set rmargin 3
set xrange [0:3]
set xlabel 'step'
set title 'recorded'.'   (batch 256, D 256)'
set ylabel 'loss'
set logscale y
set format y '%g'
set yrange [0.243369996:394.554052]
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
set key outside center top horizontal reverse Left invert
plot $COLUMN6 with lines linewidth 1.5 dashtype 2 linecolor rgb '#009e73' title 'floor', $COLUMN3 with lines linewidth 2 linecolor rgb '#d55e00' title 'λ·redundancy', $COLUMN1 with lines linewidth 2 linecolor rgb '#0072b2' title 'invariance', $COLUMN5 with lines linewidth 2 linecolor rgb '#202020' title 'total'
set xlabel 'step'
