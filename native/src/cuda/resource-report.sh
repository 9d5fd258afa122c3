# Runs nvcc (all arguments) and moves ptxas's lines on registers and spills to OBJECT.resources; everything else is printed as usual.
object=
previous=
for argument in "$@"; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
messages=$("$@" 2>&1)
code=$?
lines='ptxas info|bytes stack frame|bytes spill stores'
printf '%s\n' "$messages" | grep -E "$lines" > "$object.resources"
printf '%s\n' "$messages" | grep -Ev "$lines|^$" >&2
exit $code
