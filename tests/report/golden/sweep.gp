# Drawn by notrap plot; run with: gnuplot THIS > IMAGE
set terminal svg dynamic size 972,600 noenhanced font "sans-serif,14" background rgb "white"
set encoding utf8
set style textbox opaque fillcolor rgb "white" noborder margins 0.3,0.3
set border 3 linecolor rgb "#555555"
set tics nomirror out
set xlabel "memory"
set logscale x 2
set xrange [30876374:291718168]
unset mxtics
set xtics ("32M" 33554432, "64M" 67108864, "256M" 268435456)
set ylabel "VM exits (count)"
set format y "%g"
set grid ytics linetype 1 linecolor rgb "#e6e6e6"
set yrange [0:39.6]
set title "VM exits by memory" font "sans-serif,20" offset 0,0.6
set tmargin 4.0
set label "mmu=kvm-2.6.25  mhz=100  (dashed: without the bypass)  notrap VERSION" at screen 0.02, screen 0.038 left textcolor rgb "#555555"
set bmargin 6.0
set rmargin at screen 0.7864
set key at screen 0.8173, graph 1 left top vertical Left reverse samplen 3 spacing 1.3
set label "36" at first 268435456, first 36 left offset 1,0 front textcolor rgb "#0072b2"
set label "21" at first 268435456, first 21 left offset 1,0 front textcolor rgb "#0072b2"
set label "32" at first 67108864, first 32 left offset 1,0 front textcolor rgb "#d55e00"
set label "23" at first 268435456, first 23 left offset 1,0 front textcolor rgb "#d55e00"

# "one bypass=off"
$curve0 << EOD
33554432 20
67108864 28
268435456 36
EOD

# "one bypass=on"
$curve1 << EOD
33554432 13
67108864 17
268435456 21
EOD

# "two bypass=off"
$curve2 << EOD
33554432 24
67108864 32
EOD

# "two bypass=on"
$curve3 << EOD
33554432 15
67108864 19
268435456 23
EOD

plot $curve0 using 1:2 with linespoints linewidth 2 linecolor rgb "#0072b2" dashtype (9,6) pointtype 6 pointsize 1.2 title "one bypass=off", \
     $curve1 using 1:2 with linespoints linewidth 2 linecolor rgb "#0072b2" dashtype 1 pointtype 7 pointsize 1.2 title "one bypass=on", \
     $curve2 using 1:2 with linespoints linewidth 2 linecolor rgb "#d55e00" dashtype (9,6) pointtype 6 pointsize 1.2 title "two bypass=off", \
     $curve3 using 1:2 with linespoints linewidth 2 linecolor rgb "#d55e00" dashtype 1 pointtype 7 pointsize 1.2 title "two bypass=on"
