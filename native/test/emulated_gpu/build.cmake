# Builds this folder in BUILD, one process at a time: tests that run side by side ask for it together.
#   cmake -D BUILD=folder -P build.cmake
file(LOCK "${BUILD}" DIRECTORY GUARD PROCESS)
foreach(step IN ITEMS "-S;${CMAKE_CURRENT_LIST_DIR};-B;${BUILD}" "--build;${BUILD};--parallel;2")
  execute_process(COMMAND "${CMAKE_COMMAND}" ${step} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "cmake ${step} failed.")
  endif()
endforeach()
