# Version and source revision for src/app/version.cc.
execute_process(
  COMMAND git rev-parse --short=12 HEAD
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision "unknown")
endif()
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/app/version.cc PROPERTIES COMPILE_DEFINITIONS
  "SLUICE_VERSION=\"${PROJECT_VERSION}\";SLUICE_REVISION=\"${revision}\"")
