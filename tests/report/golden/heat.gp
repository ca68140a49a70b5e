# Drawn by notrap plot; run with: gnuplot THIS > IMAGE
set terminal svg dynamic size 760,368 noenhanced font "sans-serif,14" background rgb "white"
set encoding utf8
set style textbox opaque fillcolor rgb "white" noborder margins 0.3,0.3
set border 3 linecolor rgb "#555555"
set tics nomirror out

# "one"
$map0 << EOD
0 1 20
1 1 28
2 1 36
0 0 13
1 0 17
2 0 21
EOD

# "two"
$map1 << EOD
0 1 24
1 1 32
0 0 15
1 0 19
2 0 23
EOD

set multiplot
set label "VM exits (count) by memory and bypass" at screen 0.5, screen 0.9076 center font "sans-serif,20"
set label "mmu=kvm-2.6.25  mhz=100  (dark: more)  notrap VERSION" at screen 0.02, screen 0.062 left textcolor rgb "#555555"
set lmargin 0
set rmargin 0
set tmargin 0
set bmargin 0
unset border
unset tics
set xrange [0:1]
set yrange [0:1]
plot NaN notitle
set border 0
set xlabel "memory"
set xrange [-0.5:2.5]
set xtics scale 0 ("32M" 0, "64M" 1, "256M" 2)
set yrange [-0.5:1.5]
set ytics scale 0 ("off" 1, "on" 0)
set palette defined (0 "#eff5fa", 0.25 "#b5d3e7", 0.5 "#6baed6", 0.75 "#2b7bba", 1 "#0b3c6f")
set cbrange [13:36]
set cbtics
set format cb "%g"
unset colorbox
set style fill solid 1.0 border rgb "white"

set lmargin at screen 0.1221
set rmargin at screen 0.4737
set tmargin at screen 0.7337
set bmargin at screen 0.2717
unset label
set label "bypass" at graph 0, graph 1 right offset -0.8,0.9
set label "20" at first 0, first 1 center front textcolor rgb "black"
set label "28" at first 1, first 1 center front textcolor rgb "white"
set label "36" at first 2, first 1 center front textcolor rgb "white"
set label "13" at first 0, first 0 center front textcolor rgb "black"
set label "17" at first 1, first 0 center front textcolor rgb "black"
set label "21" at first 2, first 0 center front textcolor rgb "black"
set title "one"
plot $map0 using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror linecolor palette notitle

set lmargin at screen 0.6089
set rmargin at screen 0.9605
set tmargin at screen 0.7337
set bmargin at screen 0.2717
unset label
set label "bypass" at graph 0, graph 1 right offset -0.8,0.9
set label "24" at first 0, first 1 center front textcolor rgb "black"
set label "32" at first 1, first 1 center front textcolor rgb "white"
set label "-" at first 2, first 1 center front textcolor rgb "#555555"
set label "15" at first 0, first 0 center front textcolor rgb "black"
set label "19" at first 1, first 0 center front textcolor rgb "black"
set label "23" at first 2, first 0 center front textcolor rgb "black"
set title "two"
plot $map1 using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror linecolor palette notitle
unset multiplot
